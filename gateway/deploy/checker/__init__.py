"""Checks the manifests of gateway/deploy without a cluster and without a network."""
