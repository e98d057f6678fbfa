"""A file's name as Spark's metadata writes it, against Java's own."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakeloom.sources.listing import uri

# What a file system takes in a name: anything but the separator, NUL and lone surrogates.
NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]) | st.sampled_from(" %[]{}^#?|<>\"\\`+&;:"),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES.filter(lambda name: name not in (".", "..")))
def test_it_is_java_s_spelling(spark, name):
    jvm = spark._jvm
    path = f"/in/{name}"
    java = jvm.org.apache.hadoop.fs.Path(jvm.java.io.File(path).toURI()).toUri().toString()
    assert uri(path) == java
