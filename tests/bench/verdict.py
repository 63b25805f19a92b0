"""How a figure stands to its goal. A missed goal is printed, not failed: machines differ."""


def verdict(figure: float, goal: float) -> str:
    """The figure with its upper goal, both in the same unit, and whether it was met."""
    return f"{figure:.2f} (goal {goal:g}: {'met' if figure <= goal else 'MISSED'})"
