"""What aiokafka does not do or say. Imports nothing of ours: the engine stands on it."""
