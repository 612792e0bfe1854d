"""Two charts of an archive as it grows, as one SVG: how fast it stores, how fast it answers."""
import math

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 44
COLORS = {"sagitta": "#0b6e99", "orthanc": "#c05621"}
QUESTIONS = {"Patient ID": ("", -8), "name infix": ("6 4", 16)}    # dashes of their lines, and where their names stand


class Chart:
    """Logarithmic on both sides."""

    def __init__(self, left, title, unit, points):
        self.left, self.parts = left, []
        xs, ys = [x for x, _ in points], [y for _, y in points]
        self.x_range = (math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs))))
        self.y_range = (math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys))))
        self.text(left + LEFT, 20, title, "start", 14)
        self.text(left + WIDTH / 2, HEIGHT - 6, "instances in the archive", "middle")
        self.text(left + LEFT, TOP - 6, unit, "end")
        for power in range(self.x_range[0], self.x_range[1] + 1):
            self.line([(self.x(10 ** power), TOP), (self.x(10 ** power), HEIGHT - BOTTOM)], "#ddd")
            self.text(self.x(10 ** power), HEIGHT - BOTTOM + 16, f"{10 ** power:,}", "middle")
        for power in range(self.y_range[0], self.y_range[1] + 1):
            self.line([(left + LEFT, self.y(10.0 ** power)), (left + WIDTH - RIGHT, self.y(10.0 ** power))], "#ddd")
            self.text(left + LEFT - 6, self.y(10.0 ** power) + 4, f"{10.0 ** power:,.10g}", "end")

    def place(self, value, span, low, high):
        share = (math.log10(value) - span[0]) / max(1, span[1] - span[0])
        return low + share * (high - low)

    def x(self, value):
        return self.place(value, self.x_range, self.left + LEFT, self.left + WIDTH - RIGHT)

    def y(self, value):
        return self.place(value, self.y_range, HEIGHT - BOTTOM, TOP)

    def text(self, x, y, text, anchor, size=11):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{text}</text>')

    def line(self, points, color, dash="", width=1):
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="{width}" '
                          f'stroke-dasharray="{dash}"/>')

    def curve(self, points, color, name, dash="", below=-8):
        places = [(self.x(x), self.y(y)) for x, y in points]
        self.line(places, color, dash, 2)
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{color}"/>' for x, y in places]
        self.parts.append(f'<text x="{places[-1][0]:.1f}" y="{places[-1][1] + below:.1f}" text-anchor="end" font-size="11" '
                          f'fill="{color}">{name}</text>')


def drawn(servers):
    """The SVG of {server: {"rates": […], "finds": {size: {question: …}}}} as archive.py gathers it."""
    stored = {name: [(rate["to"], rate["per_s"]) for rate in one["rates"]] for name, one in servers.items()}
    asked = {}
    for name, one in servers.items():
        for question in QUESTIONS:
            points = [(int(size), found[question]["p50_ms"]) for size, found in one["finds"].items() if found[question]["p50_ms"]]
            asked[name, question] = sorted(points)
    left = Chart(0, "C-STORE of small objects", "a second", [p for points in stored.values() for p in points])
    for name, points in stored.items():
        left.curve(points, COLORS[name], name)
    right = Chart(WIDTH + 20, "C-FIND, median", "ms", [p for points in asked.values() for p in points])
    for (name, question), points in asked.items():
        if points:
            right.curve(points, COLORS[name], f"{name}, {question}", *QUESTIONS[question])
    body = "\n".join(left.parts + right.parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH + 20}" height="{HEIGHT}" '
            f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n')
