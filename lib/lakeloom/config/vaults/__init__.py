"""Where secrets are kept: one file a kind, each asked for ``scope/key`` and answering with text, or None."""

# By the scheme of an entry of LAKELOOM_SECRETS; one without a scheme is a folder.
VAULTS = {
    "file": "lakeloom.config.vaults.folder:Folder",
    "aws": "lakeloom.config.vaults.aws:SecretsManager",
    "gcp": "lakeloom.config.vaults.gcp:SecretManager",
    "azure": "lakeloom.config.vaults.azure:KeyVault",
    "databricks": "lakeloom.config.vaults.databricks:Scopes",
    "keyring": "lakeloom.config.vaults.keyring:Keyring",
}
