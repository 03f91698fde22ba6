"""A question gets the guide's own facts, and nothing where the guide says nothing."""

from yiwang.domains.services.search.answers import Facts, answers

ASKS = {"materials": ["要带什么", "材料"], "time": ["多久", "几天"], "fee": ["多少钱"]}
FACTS = Facts(
    materials="一张照片", time="两个工作日", fee="不收费", conditions="", place="",
    faq=(("孩子在外地出生能办吗", "能，在线上办。"),),
)  # fmt: skip


def about(question):
    return [a.about for a in answers(question, FACTS, ASKS)]


def test_what_is_asked_is_answered():
    assert about("生孩子要带什么材料") == ["materials"]
    assert about("多久能办好，要多少钱") == ["time", "fee"]
    assert answers("要等几天", FACTS, ASKS)[0].text == "两个工作日"


def test_a_frequent_question_in_other_words_gets_its_reply():
    assert about("孩子在外地出生的能办吗？") == ["faq"]
    assert about("孩子在外地上学") == []


def test_nothing_asked_nothing_said():
    assert about("生孩子") == []
    assert answers("谁能办", FACTS, {"conditions": ["谁能"]}) == []
