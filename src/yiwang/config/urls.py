"""Every address."""

from django.urls import include, path
from django.views.i18n import set_language

from yiwang.domains.enterprise import screens as enterprise
from yiwang.domains.services import screens as services
from yiwang.domains.services.authoring import screens as authoring
from yiwang.domains.services.catalogue import screens as catalogue
from yiwang.domains.services.life import screens as life
from yiwang.domains.services.search import screens as searching
from yiwang.engines.cases import screens as desk
from yiwang.engines.hub import screens as hub
from yiwang.surfaces.portal import identity, signing_in, uses
from yiwang.surfaces.portal import screens as portal
from yiwang.surfaces.workbench import doubts

handler403 = "yiwang.surfaces.portal.errors.forbidden"
handler404 = "yiwang.surfaces.portal.errors.not_found"
handler500 = "yiwang.surfaces.portal.errors.broken"

urlpatterns = [
    path("", portal.home, name="home"),
    path("mode", portal.mode, name="mode"),
    path("language", set_language, name="set_language"),
    path("demo/sign-in", portal.demo_sign_in, name="demo_sign_in"),
    path("accounts/login/", signing_in.SignIn.as_view(), name="account_login"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/oidc/<slug:provider_id>/login/", signing_in.sign_in, name="openid_connect_login"),
    path(
        "accounts/oidc/<slug:provider_id>/login/callback/",
        signing_in.came_back,
        name="openid_connect_callback",
    ),
    path("identity/o/authorize", signing_in.authorise, name="authorize"),
    path("", include("allauth.idp.urls")),
    path("search", searching.search, name="search"),
    path("life", life.life_map, name="life"),
    path("life/<slug:stage_id>", life.stage, name="life_stage"),
    path("departments", catalogue.departments, name="departments"),
    path("catalogue", catalogue.rows, name="catalogue"),
    path("catalogue/<slug:code>", catalogue.item, name="catalogue_item"),
    path("coverage", catalogue.coverage, name="coverage"),
    path("messages", services.inbox, name="messages"),
    path("numbers", services.numbers, name="numbers"),
    path("decisions", services.decisions, name="decisions"),
    path("numbers.csv", services.numbers_csv, name="numbers_csv"),
    path("verify", services.verify, name="verify"),
    path("verify/<slug:code>", services.verify, name="verify_code"),
    path("documents/<uuid:document_id>.pdf", services.document, name="document"),
    path("cases", services.list_cases, name="cases"),
    path("cases/<uuid:case_id>", services.case, name="case"),
    path("cases/<uuid:case_id>/supplement", services.supplement, name="supplement"),
    path("cases/<uuid:case_id>/withdraw", services.withdraw, name="withdraw"),
    path("rectifications/<uuid:rectification_id>", services.settle, name="settle"),
    path("cases/<uuid:case_id>/complain", services.complain, name="complain"),
    path("undertakings/<uuid:undertaking_id>", services.hand_in, name="hand_in"),
    path("cases/<uuid:case_id>/confirm", services.confirm, name="confirm"),
    path("cases/<uuid:case_id>/rate", services.rate, name="rate"),
    path("uses", uses.uses, name="uses"),
    path("uses/<uuid:entry_id>", uses.use, name="use"),
    path("uses/<uuid:entry_id>/proof.json", uses.use_proof, name="use_proof"),
    path("uses/<uuid:entry_id>/doubt", uses.doubt, name="doubt"),
    path("ledger", uses.ledger, name="ledger"),
    path("ledger/checkpoint", uses.checkpoint, name="ledger_checkpoint"),
    path("ledger/key", uses.ledger_key, name="ledger_key"),
    path("ledger/consistency", uses.consistency, name="ledger_consistency"),
    path("ledger/tile/<int:level>/<int:number>", uses.tile, name="ledger_tile"),
    path("desk/doubts", doubts.doubts, name="doubts"),
    path("desk/doubts/<uuid:doubt_id>", doubts.answer_doubt, name="answer_doubt"),
    path("mandates", identity.mandates, name="mandates"),
    path("mandates/<uuid:mandate_id>/revoke", identity.revoke_mandate, name="revoke_mandate"),
    path("act-for", identity.act_for, name="act_for"),
    path("window", services.window, name="window"),
    path("window/<slug:code>", services.window, name="window_code"),
    path("window/receipts/<uuid:draft_id>", services.window_receipt, name="window_receipt"),
    path(
        "window/receipts/<uuid:draft_id>/results/<uuid:document_id>.pdf",
        services.window_result,
        name="window_result",
    ),
    path("apply/<uuid:draft_id>/handover", services.handover, name="handover"),
    path("consents/<uuid:consent_id>", services.consent, name="consent"),
    path("apply/<uuid:draft_id>/waiting", services.waiting, name="waiting"),
    path("apply/<uuid:draft_id>/papers/<str:key>.pdf", services.paper, name="paper"),
    path("apply/<uuid:draft_id>/check", services.check, name="check"),
    path("apply/<uuid:draft_id>/submit", services.submit, name="submit"),
    path("apply/<uuid:draft_id>/<slug:page>", services.apply, name="apply"),
    path("services/<str:ref>", services.service, name="service"),
    path("services/<str:ref>/begin", services.begin, name="begin"),
    path("packs", authoring.proposals, name="proposals"),
    path("packs/write", authoring.write, name="write_pack"),
    path("packs/<uuid:proposal_id>", authoring.write, name="proposal"),
    path("packs/<uuid:proposal_id>/decide", authoring.decide_proposal, name="decide_proposal"),
    path("api/v1/", include("yiwang.surfaces.api.urls")),
    path("desk", desk.inbox, name="desk"),
    path("desk/bulk", desk.bulk, name="desk_bulk"),
    path("desk/filters", desk.save_filter, name="desk_filters"),
    path("desk/manage", desk.manage, name="desk_manage"),
    path("desk/undertakings", desk.undertakings, name="desk_undertakings"),
    path("desk/undertakings/<uuid:undertaking_id>", desk.check_undertaking, name="check_undertaking"),
    path("desk/reviews", desk.to_review, name="desk_reviews"),
    path("desk/reviews/<uuid:review_id>", desk.review, name="desk_review"),
    path("desk/reviews/<uuid:review_id>/files/<uuid:file_id>", desk.review_file, name="desk_review_file"),
    path("desk/ratings", desk.ratings, name="desk_ratings"),
    path("desk/ratings/<uuid:rectification_id>", desk.rectify, name="rectify"),
    path("enterprise", enterprise.own, name="own_enterprise"),
    path("enterprise/correct", enterprise.correct, name="correct_enterprise"),
    path("desk/enterprises", enterprise.find, name="enterprises"),
    path("desk/enterprises/fairness", enterprise.fair, name="fairness"),
    path("desk/enterprises/<slug:uscc>", enterprise.file, name="enterprise_file"),
    path("desk/corrections", enterprise.corrections, name="corrections"),
    path("desk/corrections/<uuid:correction_id>", enterprise.answer_correction, name="answer_correction"),
    path("desk/hub", hub.overview, name="hub"),
    path("desk/hub/deliveries/<uuid:delivery_id>", hub.delivery, name="hub_delivery"),
    path("desk/hub/deliveries/<uuid:delivery_id>/bad.xlsx", hub.bad_rows, name="hub_bad_rows"),
    path("desk/hub/deliveries/<uuid:delivery_id>/raw", hub.raw, name="hub_raw"),
    path("desk/hub/deliveries/<uuid:delivery_id>/piece", hub.piece, name="hub_piece"),
    path("desk/hub/<slug:dataset>", hub.dataset, name="hub_dataset"),
    path("desk/hub/<slug:dataset>/record", hub.record, name="hub_record"),
    path("desk/hub/<slug:dataset>/upload", hub.upload, name="hub_upload"),
    path("desk/hub/<slug:dataset>/begin", hub.begin, name="hub_begin"),
    path("desk/cases/<uuid:case_id>", desk.case, name="desk_case"),
    path("desk/cases/<uuid:case_id>/act", desk.act, name="desk_act"),
    path("desk/cases/<uuid:case_id>/flow.bpmn", desk.flow, name="desk_flow"),
    path("desk/cases/<uuid:case_id>/files/<uuid:file_id>", desk.file, name="desk_file"),
]
