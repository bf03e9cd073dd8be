"""The only package that knows Kafka, and it knows no approval."""
