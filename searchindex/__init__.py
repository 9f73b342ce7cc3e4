"""Versioned changes of Elasticsearch and OpenSearch: revisions, operations, reindexing."""
