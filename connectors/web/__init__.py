"""Where departments call us: one server in a worker, a path for each system, an answer only when Kafka has it."""
