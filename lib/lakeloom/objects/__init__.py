"""Object stores: what lies where, and its bytes, by the clouds' own clients; one file a kind of store."""

# By the scheme of an address.
STORES = {
    "s3": "lakeloom.objects.s3:S3",
    "s3a": "lakeloom.objects.s3:S3",
    "gs": "lakeloom.objects.gcs:Gcs",
    "abfs": "lakeloom.objects.azure:Azure",
    "abfss": "lakeloom.objects.azure:Azure",
    "http": "lakeloom.objects.web:PlainWeb",
    "https": "lakeloom.objects.web:Web",
    "sftp": "lakeloom.objects.sftp:Sftp",
    "file": "lakeloom.objects.local:Local",
}
