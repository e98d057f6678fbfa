"""How the tests of SFTP ask a server: a store that is opened with other words, what it finds, what it refuses."""

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening


def store_of(bucket, **more):
    stores = {
        root: {key: each for key, each in (said | more).items() if each is not None}
        for root, said in bucket.stores.items()
    }
    return opening(Address.parse(f"{bucket.root}/*"), stores).open()


def one(bucket, key, store=None):
    (found,) = (store or store_of(bucket)).find(bucket.key(key))
    return found


def refused(bucket, **more):
    with pytest.raises(SourceError) as caught:
        list(store_of(bucket, **more).find(bucket.below))
    return caught.value


def keys(bucket, found):
    return {each.key.removeprefix(bucket.below) for each in found}
