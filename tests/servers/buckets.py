"""Buckets (containers) of servers: what a test puts there, and what a project says to read it."""

AZURITE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # gitleaks:allow
)
KEYS = {"access_key": "loom-access", "secret_key": "loom-secret-1234"}


class Bucket:
    """A bucket (container) of a server.

    Attributes
    ----------
    root : str
        Its address, to be followed by ``/`` and a key.
    stores : dict
        What a project's ``stores:`` says of it.
    below : str
        What each key of the store begins with, where a bucket is a folder of it.
    verified : str
        By what a fetch is compared.
    """

    below, verified = "", "md5"

    def __init__(self, root, stores):
        self.root, self.stores = root, stores

    def key(self, key):
        """Return the store's key of what a test calls so."""
        return self.below + key


class S3Bucket(Bucket):
    def __init__(self, name, port, keys=KEYS):
        import boto3
        from botocore.config import Config

        endpoint = f"http://127.0.0.1:{port}"
        super().__init__(f"s3://{name}", {f"s3://{name}": {"endpoint": endpoint, "region": "us-east-1", **keys}})
        self._client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=keys["access_key"],
            aws_secret_access_key=keys["secret_key"], config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip
        self._name = name
        self._client.create_bucket(Bucket=name)

    def put(self, key, content):
        self._client.put_object(Bucket=self._name, Key=key, Body=content)

    def put_parts(self, key, *parts):
        """Put an object by a multi-part upload; all parts but the last have at least 5 MiB."""
        upload = self._client.create_multipart_upload(Bucket=self._name, Key=key)["UploadId"]
        told = []
        for number, part in enumerate(parts, 1):
            answer = self._client.upload_part(Bucket=self._name, Key=key, PartNumber=number, UploadId=upload, Body=part)
            told.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._client.complete_multipart_upload(
            Bucket=self._name, Key=key, UploadId=upload, MultipartUpload={"Parts": told}
        )

    def delete(self, key):
        self._client.delete_object(Bucket=self._name, Key=key)


class GcsBucket(Bucket):
    def __init__(self, name, port):
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        endpoint = f"http://127.0.0.1:{port}"
        super().__init__(f"gs://{name}", {f"gs://{name}": {"endpoint": endpoint, "project": "loom", "anonymous": True}})
        client = storage.Client("loom", credentials=AnonymousCredentials(), client_options={"api_endpoint": endpoint})
        self._bucket = client.create_bucket(name)

    def put(self, key, content):
        self._bucket.blob(key).upload_from_string(content, "application/octet-stream")

    def delete(self, key):
        self._bucket.delete_blob(key)


class AzureBucket(Bucket):
    def __init__(self, name, port, ca=None):
        from azure.storage.blob import BlobServiceClient

        account, endpoint = "devstoreaccount1", f"{'https' if ca else 'http'}://127.0.0.1:{port}"
        more = {"connection_verify": str(ca)} if ca else {}
        root = f"abfss://{name}@{account}.dfs.core.windows.net"
        super().__init__(root, {root: {"endpoint": endpoint, "key": AZURITE_KEY}})
        service = BlobServiceClient(
            f"{endpoint}/{account}", credential={"account_name": account, "account_key": AZURITE_KEY}, **more
        )
        self._container = service.create_container(name)

    def put(self, key, content):
        from hashlib import md5

        from azure.storage.blob import ContentSettings

        told = ContentSettings(content_md5=bytearray(md5(content).digest()))
        self._container.upload_blob(key, content, overwrite=True, content_settings=told)

    def delete(self, key):
        self._container.delete_blob(key)
