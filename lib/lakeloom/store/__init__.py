"""The storage root: Delta logs without a JVM, the one commit function, intents, refs and the lock."""
