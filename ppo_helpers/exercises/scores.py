"""Points for arrows, for exercise 1.1. In plain Python, which the published page runs as well."""


class Score:
    """Points for a list of arrows: what each is worth at its place, added up."""

    def __init__(self, *worth):
        self.worth = worth

    def __call__(self, arrows):
        if len(arrows) != len(self.worth):
            raise ValueError(f"arrows must be {len(self.worth)}, got {len(arrows)}")
        return sum(points.get(arrow, 0.0) for points, arrow in zip(self.worth, arrows))

    def __repr__(self):
        return f"points at each place, by arrow: {self.worth}"


class Circle(Score):
    """Zero only if all arrows are alike, else −1: one change after the other must be kept on a tie to get there."""

    def __call__(self, arrows):
        return 0.0 if len(set(arrows)) == 1 else -1.0

    def __repr__(self):
        return "0 if all arrows are alike, else −1"
