"""What the derivative sweeps of a graph cost, in words and counted figures."""

from __future__ import annotations

from engine.studies.graph import Costs, GraphResult


def jacobian_table(costs: Costs) -> str:
    """Markdown: operations for the whole Jacobian by forward and by reverse mode."""
    rows = (
        ("forward", f"one for each of {_count(costs.inputs, 'input')}", costs.forward),
        ("reverse", f"one for each of {_count(costs.outputs, 'output')}", costs.reverse),
    )
    cheaper = min(costs.forward.total, costs.reverse.total)
    head = "**Every derivative of every output**, counted on this graph:\n\n| mode | sweeps | × | + | total |"
    lines = [head, "|---|---|--:|--:|--:|"]
    for mode, why, cost in rows:
        total = f"**{cost.total}**" if cost.total == cheaper else f"{cost.total}"
        lines.append(f"| {mode} | {why} | {cost.multiplications} | {cost.additions} | {total} |")
    return "\n".join(lines)


def order_note(result: GraphResult) -> str:
    """Markdown: what the chosen order of the reverse sweep did, against the topological one."""
    setup = result.setup
    if setup.mode == "forward" or setup.order == "topological":
        return ""
    wrong = [entry.name for entry in result.inputs if not entry.agrees(entry.shown)]
    visits = sum(step.kind == "cotangent" for step in result.steps)
    operators = sum(node.operator is not None and node.gradient is not None for node in result.graph.nodes)
    if setup.order == "every path":
        needed = result.costs.path_visits
        cut = f" Shown are the first {visits:,}: its gradient is not finished." if needed > visits else ""
        return f"**Every path:** {needed:,} visits, where the topological order makes {operators:,}.{cut}"
    if wrong:
        names = ", ".join(wrong)
        return (
            f"**Breadth first:** wrong for {names}: a node sent its gradient on before all of it was there."
        )
    return "**Breadth first:** right on this graph, as no path overtakes another; try “diamond”."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
