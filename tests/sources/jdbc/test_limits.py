"""Connections of one run to one database: never more than the limit, and no source waits for ever."""

import threading

from lakeloom.sources.jdbc.limits import counted


def test_sources_of_one_database_share_its_limit_and_others_do_not():
    most, lock, seen, now = 3, threading.Lock(), [], [0]
    meeting = threading.Barrier(2)

    def use(url, number):
        with counted(url, number, most):
            with lock:
                now[0] += min(number, most)
                seen.append(now[0])
            with lock:
                now[0] -= min(number, most)

    words = ["jdbc:postgresql://db/fleet?a=1", "jdbc:postgresql://db/fleet?b=2", "jdbc:postgresql://db/fleet"]
    threads = [threading.Thread(target=use, args=(words[at % 3], 1 + at % 4)) for at in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(seen) == 24 and max(seen) <= most

    def beside(url):
        with counted(url, 3, most):
            meeting.wait(30)

    pair = [threading.Thread(target=beside, args=(f"jdbc:postgresql://{host}/fleet",)) for host in ("one", "two")]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join(30)
    assert not meeting.broken


def test_a_source_without_a_limit_never_waits_and_counts_for_the_others():
    url = "jdbc:postgresql://free/fleet"
    entered = threading.Event()
    with counted(url, 5, None), counted(url, 5, None):
        waiting = threading.Thread(target=lambda: (counted(url, 1, 1).__enter__(), entered.set()))
        waiting.start()
        assert not entered.is_set()
    waiting.join(30)
    assert entered.is_set()
