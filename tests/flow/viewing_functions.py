"""Functions of tables that go by views of Spark: a chain of them, and one that would end in itself."""


def chained(inputs):
    (orders,) = inputs.values()
    session = orders.sparkSession
    orders.createOrReplaceTempView("seen")
    session.sql("create or replace temp view large as select * from seen where amount > 10")
    session.sql("create or replace temp view towns as select city as town, sum(amount) as total from large group by 1")
    return session.sql("select t.town, t.total, l.id from towns t join large l on l.city = t.town")


def recursive(inputs):
    (orders,) = inputs.values()
    orders.createOrReplaceTempView("one")
    orders.sparkSession.sql("create or replace temp view two as select * from one")
    orders.sparkSession.sql("create or replace temp view one as select * from two")
    return orders.sparkSession.table("one")
