"""What other rooms use of cases. Nothing else here is for them (import-linter holds it).

Verbs change a case or a draft and raise ``Refused`` with a sentence for the person; questions read,
filtered by who may see. ``forms`` and ``flow`` are pure libraries and are imported by their own names.
"""

from .actions import (
    AlreadyChanged,
    NotThere,
    approve_extension,
    assign,
    complete,
    request_extension,
    request_supplement,
    resume,
    suspend,
    transfer,
    withdraw,
)
from .applying import (
    Filled,
    Incomplete,
    SavedElsewhere,
    answer_situations,
    conditions_of,
    fill,
    find_draft,
    open_draft,
    open_drafts,
    owed,
    pledges,
    save_page,
    self_check,
)
from .case_form import plan_of, value_in_bundle
from .consent_view import content_of
from .consents import asked, cancel, of_second, of_supplement, pending, round_of
from .contracts import RATING_LEVELS, Phase, Result, Status
from .filing import file, made, offered, taken, unfolded
from .generated import paper
from .matters import (
    MATTER,
    due_day,
    has_open_matter,
    matters_for,
    open_matter,
    outcome_of,
    seen_done,
    waiting_about,
)
from .models import Case, Draft
from .periodic import confirm
from .periodic import of_case as grant_of
from .queries import (
    documents_of,
    family,
    find,
    history,
    numbers_of,
    own,
    page_of_own,
    rectifications,
    steps_of,
    traced,
    visit,
)
from .ratings import complain, public_comments, rate, settle
from .reporting import case_rows, rating_rows
from .results import by_post, hand_out, result, results
from .rows import add_row, counts, remove_row
from .statistics import Statistics, measure
from .submitting import agree, submit
from .supplements import answer as answer_supplement
from .supplements import checked as check_supplement
from .supplements import held_of
from .todo import Todo, todo
from .undertakings import check, hand_in, of_case
from .undertakings import find as find_undertaking
from .windows import WINDOW, offer, open_at_window, receipt, take_over, taken_in, windows_of
from .words import PHASE, RATING, RESULT, STATUS
from .worklist import page as work_page

__all__ = [
    "MATTER",
    "PHASE",
    "RATING",
    "RATING_LEVELS",
    "RESULT",
    "STATUS",
    "WINDOW",
    "AlreadyChanged",
    "Case",
    "Draft",
    "Filled",
    "Incomplete",
    "NotThere",
    "Phase",
    "Result",
    "SavedElsewhere",
    "Statistics",
    "Status",
    "Todo",
    "add_row",
    "agree",
    "answer_situations",
    "answer_supplement",
    "approve_extension",
    "asked",
    "assign",
    "by_post",
    "cancel",
    "case_rows",
    "check",
    "check_supplement",
    "complain",
    "complete",
    "conditions_of",
    "confirm",
    "content_of",
    "counts",
    "documents_of",
    "due_day",
    "family",
    "file",
    "fill",
    "find",
    "find_draft",
    "find_undertaking",
    "grant_of",
    "hand_in",
    "hand_out",
    "has_open_matter",
    "held_of",
    "history",
    "made",
    "matters_for",
    "measure",
    "numbers_of",
    "of_case",
    "of_second",
    "of_supplement",
    "offer",
    "offered",
    "open_at_window",
    "open_draft",
    "open_drafts",
    "open_matter",
    "outcome_of",
    "owed",
    "own",
    "page_of_own",
    "paper",
    "pending",
    "plan_of",
    "pledges",
    "public_comments",
    "rate",
    "rating_rows",
    "receipt",
    "rectifications",
    "remove_row",
    "request_extension",
    "request_supplement",
    "result",
    "results",
    "resume",
    "round_of",
    "save_page",
    "seen_done",
    "self_check",
    "settle",
    "steps_of",
    "submit",
    "suspend",
    "take_over",
    "taken",
    "taken_in",
    "todo",
    "traced",
    "transfer",
    "unfolded",
    "value_in_bundle",
    "visit",
    "waiting_about",
    "windows_of",
    "withdraw",
    "work_page",
]
