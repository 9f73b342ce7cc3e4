"""How people and pipelines talk to the engine: flags, questions, text, JSON and exit codes."""
