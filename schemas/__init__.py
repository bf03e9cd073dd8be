"""The one approval standard: the words departments agree on. No Kafka, no I/O beyond reading the files of a deployment."""
