"""Attacks on gateways and on the embedded node. A test fails where its attack succeeds, and says what it has done."""
