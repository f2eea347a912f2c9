"""Which test holds which row of the contracts.

A row is a table's row or a sentence of a bullet or a paragraph. A test says what it holds with
`@pytest.mark.contract("rooms: a fragment of the row")`; docs/conformance.md is made from a run.
"""
