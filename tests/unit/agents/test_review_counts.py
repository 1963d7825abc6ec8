"""A review counts each decision once and remembers no more of it than that."""

from vnpy_aiagent.agents import ReviewAgent
from vnpy_aiagent.domain import Period

from .risk_world import World, a_proposal, moment


def test_proposals_of_one_decision_count_as_one_decision() -> None:
    world = World(moment(10))
    agent = ReviewAgent(world.house)
    for number in range(100):
        for account in ("aggressive", "judge"):
            agent.on_proposal(a_proposal(id=f"p{number}{account}", decision_id=f"d{number}", account=account))
    review = agent.review(Period.DAY, None)
    assert (review.decisions, review.proposals) == (100, 200)
    kept = [value for value in vars(agent).values() if isinstance(value, set | dict) and len(value) > 1]
    assert kept == []
