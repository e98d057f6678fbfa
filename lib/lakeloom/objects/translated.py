"""The settings of a store in the words of others: Hadoop's connectors, by which Spark reads, and delta-rs.

One place for each kind of store, so that what ``stores:`` says holds whoever asks. Without keys both find the
credentials by chains of their own, as the SDK does; a profile's keys are looked up by boto3 and handed on.

Source: the documentation of S3A, ABFS and the GCS connector; the options of the object_store crate.
"""

from __future__ import annotations

import json

from lakeloom.core.secrets import reveal
from lakeloom.objects.azure import AzureConfig
from lakeloom.objects.base import StoreConfig
from lakeloom.objects.gcs import GcsConfig
from lakeloom.objects.opened import Opening
from lakeloom.objects.s3 import S3Config

Words = dict[str, str]
_RETRIES = 4
_ALLOWED = "org.apache.hadoop.fs.s3a."


def address(opening: Opening, key: str) -> str:
    """Return the address of a key as both take it."""
    scheme = {"s3": "s3a"}.get(opening.scheme, opening.scheme)
    if isinstance(opening.config, AzureConfig) and opening.config.endpoint:
        # Hadoop encrypts by the scheme, whatever the endpoint says.
        scheme = "abfss" if opening.config.endpoint.startswith("https://") else "abfs"
    return f"{scheme}://{opening.bucket}/{key}"


def hadoop(opening: Opening) -> Words:
    """Return Hadoop's settings for a bucket; they hold secrets."""
    config = opening.config
    if isinstance(config, S3Config):
        return _s3a(opening.bucket, config)
    if isinstance(config, AzureConfig):
        return _abfs(opening.bucket, config)
    if isinstance(config, GcsConfig):
        return _gs(config)
    return {}


def delta_rs(opening: Opening) -> Words:
    """Return delta-rs' storage options for a bucket; they hold secrets."""
    config = opening.config
    more: Words = {}
    if isinstance(config, S3Config):
        more = _aws(config)
    elif isinstance(config, AzureConfig):
        more = _azure(opening.bucket, config)
    elif isinstance(config, GcsConfig):
        more = _google(config)
    return more | _times(config)


def _s3a(bucket: str, config: S3Config) -> Words:
    own, keys = f"fs.s3a.bucket.{bucket}.", _keys(config)
    path = config.path_style if config.path_style is not None else config.endpoint is not None
    found = {
        # Looked for by the first call anyhow.
        "fs.s3a.bucket.probe": "0",
        "fs.s3a.attempts.maximum": str(_RETRIES),
        "fs.s3a.retry.limit": str(_RETRIES),
        f"{own}path.style.access": str(path).lower(),
        f"{own}connection.establish.timeout": f"{int(config.connect_s * 1000)}ms",
        f"{own}connection.timeout": f"{int(config.read_s * 1000)}ms",
    }
    if config.endpoint:
        found |= {f"{own}endpoint": config.endpoint,
                  f"{own}connection.ssl.enabled": str(config.endpoint.startswith("https://")).lower()}  # fmt: skip
    if config.region or config.endpoint:
        found[f"{own}endpoint.region"] = config.region or "us-east-1"
    if keys:
        provider = "TemporaryAWSCredentialsProvider" if "session" in keys else "SimpleAWSCredentialsProvider"
        found[f"{own}aws.credentials.provider"] = _ALLOWED + provider
        named = {"access": "access.key", "secret": "secret.key", "session": "session.token"}
        found |= {f"{own}{named[name]}": value for name, value in keys.items()}
    if config.customer_key is not None:
        found |= {f"{own}encryption.algorithm": "SSE-C", f"{own}encryption.key": reveal(config.customer_key)}
    elif config.encryption == "AES256":
        found[f"{own}encryption.algorithm"] = "SSE-S3"
    elif config.encryption == "aws:kms":
        found |= {f"{own}encryption.algorithm": "SSE-KMS"}
        found |= {f"{own}encryption.key": config.kms_key} if config.kms_key else {}
    return found


def _aws(config: S3Config) -> Words:
    named = {"access": "aws_access_key_id", "secret": "aws_secret_access_key", "session": "aws_session_token"}
    found = {named[name]: value for name, value in _keys(config).items()}
    # Of several that create one key one succeeds, by the condition of the store itself.
    found["aws_conditional_put"] = "etag"
    if config.region or config.endpoint:
        found["aws_region"] = config.region or "us-east-1"
    if config.endpoint:
        found |= {"aws_endpoint_url": config.endpoint} | _plain(config.endpoint)
    if config.path_style is False:
        found["aws_virtual_hosted_style_request"] = "true"
    if config.customer_key is not None:
        found |= {"aws_server_side_encryption": "sse-c",
                  "aws_sse_customer_key_base64": reveal(config.customer_key)}  # fmt: skip
    elif config.encryption is not None:
        found["aws_server_side_encryption"] = config.encryption
        found |= {"aws_sse_kms_key_id": config.kms_key} if config.kms_key else {}
    return found


def _keys(config: S3Config) -> Words:
    """Return the keys that the config names, or those of its profile as they are now."""
    if config.access_key is not None and config.secret_key is not None:
        given = {"access": config.access_key, "secret": config.secret_key, "session": config.session_token}
        return {name: reveal(value) for name, value in given.items() if value is not None}
    if config.profile is None:
        return {}
    import boto3

    found = boto3.session.Session(profile_name=config.profile).get_credentials()
    if found is None:
        return {}
    frozen = found.get_frozen_credentials()
    kept = {"access": frozen.access_key, "secret": frozen.secret_key, "session": frozen.token}
    return {name: value for name, value in kept.items() if value}


def _abfs(bucket: str, config: AzureConfig) -> Words:
    _, _, host = bucket.partition("@")
    found = {
        "fs.abfss.impl": "org.apache.hadoop.fs.azurebfs.SecureAzureBlobFileSystem",
        "fs.abfs.impl": "org.apache.hadoop.fs.azurebfs.AzureBlobFileSystem",
        # By itself it would try for a quarter of an hour.
        "fs.azure.io.retry.max.retries": str(_RETRIES),
        "fs.azure.io.retry.max.backoff.interval": "4000",
    }
    if config.key is not None:
        # The dfs address reads, the blob address is what an account without folders of its own is asked at.
        found |= {f"fs.azure.account.key.{each}": reveal(config.key) for each in _hosts(host)}
    elif config.signature is not None:
        for each in _hosts(host):
            found |= {f"fs.azure.account.auth.type.{each}": "SAS",
                      f"fs.azure.sas.fixed.token.{each}": reveal(config.signature).lstrip("?")}  # fmt: skip
    if config.endpoint:
        # What speaks of blobs alone, as the emulator does: without the interface of folders, at another address.
        found |= {
            "fs.azure.abfs.endpoint": config.endpoint.partition("://")[2].rstrip("/"),
            "fs.azure.account.hns.enabled": "false",
            "fs.azure.fns.account.service.type": "BLOB",
            "fs.azure.ingress.service.type": "BLOB",
            "fs.azure.always.use.https": str(config.endpoint.startswith("https://")).lower(),
        }
    return found


def _hosts(host: str) -> tuple[str, str]:
    return host, host.replace(".dfs.", ".blob.", 1)


def _azure(bucket: str, config: AzureConfig) -> Words:
    account = bucket.partition("@")[2].partition(".")[0]
    found = {"azure_storage_account_name": account}
    if config.key is not None:
        found["azure_storage_account_key"] = reveal(config.key)
    elif config.signature is not None:
        found["azure_storage_sas_token"] = reveal(config.signature).lstrip("?")
    elif config.anonymous:
        found["azure_skip_signature"] = "true"
    if config.endpoint:
        found |= {"azure_storage_endpoint": f"{config.endpoint.rstrip('/')}/{account}"} | _plain(config.endpoint)
    return found


def _gs(config: GcsConfig) -> Words:
    found = {
        "fs.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem",
        "fs.AbstractFileSystem.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
        "fs.gs.client.type": "HTTP_API_CLIENT",
        "fs.gs.http.max.retry": str(_RETRIES),
    }
    if config.endpoint:
        found |= {"fs.gs.storage.root.url": config.endpoint.rstrip("/") + "/",
                  "fs.gs.storage.service.path": "storage/v1/"}  # fmt: skip
    if config.project:
        found["fs.gs.project.id"] = config.project
    if config.anonymous:
        found["fs.gs.auth.type"] = "UNAUTHENTICATED"
    elif config.credentials_file:
        found |= {"fs.gs.auth.type": "SERVICE_ACCOUNT_JSON_KEYFILE",
                  "fs.gs.auth.service.account.json.keyfile": config.credentials_file}  # fmt: skip
    if config.kms_key:
        found["fs.gs.encryption.kms.key"] = config.kms_key
    return found


def _google(config: GcsConfig) -> Words:
    plain = _plain(config.endpoint or "")
    if config.anonymous:
        # Another address, and that nothing is to be signed, it takes from a key file alone.
        told = {"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
        told |= {"gcs_base_url": config.endpoint.rstrip("/")} if config.endpoint else {}
        return plain | {"google_service_account_key": json.dumps(told), "google_skip_signature": "true"}
    found = {"google_base_url": config.endpoint.rstrip("/")} if config.endpoint else {}
    return plain | found | ({"google_service_account": config.credentials_file} if config.credentials_file else {})


def _plain(endpoint: str) -> Words:
    return {"allow_http": "true"} if endpoint.startswith("http://") else {}


def _times(config: StoreConfig) -> Words:
    return {"connect_timeout": f"{int(config.connect_s)}s", "timeout": f"{int(config.read_s)}s"}
