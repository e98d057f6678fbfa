"""What a test sets in the session that all tests share ends with it."""

KEY = "spark.sql.files.maxPartitionBytes"
seen = []


def test_what_is_set_here(spark):
    seen.append(spark.conf.get(KEY))
    spark.conf.set(KEY, "5")
    spark.conf.set("lakeloom.tried", "yes")
    assert spark.conf.get(KEY) == "5"


def test_is_as_before_in_the_next_test(spark):
    assert seen and spark.conf.get(KEY) == seen[0] != "5"
    assert spark.conf.get("lakeloom.tried", None) is None
