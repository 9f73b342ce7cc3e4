"""
One service for approvals: of plans, of erasures, and of whatever else another person has to say yes to.

Here it is decided who may say yes, until when a yes counts, and whether it counts when it is acted on. Which
row keeps a yes, and what runs when it counts, is the business of the app that asks.
"""

from __future__ import annotations
