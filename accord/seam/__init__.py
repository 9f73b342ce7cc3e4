"""
The seam between the engine and the stores: values, Protocols, and the registry that opens stores.

`types` are the frozen values that the suite speaks in, `stores` the Protocols that an adapter
implements, `registry` opens what the settings name, `checksum` shows whether a revision was edited.
What may enter: what every adapter needs. What may not: any vendor.
"""
