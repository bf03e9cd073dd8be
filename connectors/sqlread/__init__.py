"""Reading tables: what may stand below `source:`, statements, what was read lately, following and queues."""
