"""
What the commands of the migrator share: options, prompts, rendering.

What may enter: words, colours and formats. What may not: a decision about a step; the engine takes
it. Commands import it; it imports the engine.
"""
