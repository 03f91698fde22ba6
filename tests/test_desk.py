"""Between the desk and the applicant: ask once, answer in one place, decide with reasons and routes of appeal."""

from product import until
from test_pages import violations


def apply(page, start):
    """A stand-alone 即办件, handed in. Returns its path."""
    page.goto("/services/yb.insured_proof")
    page.click("text=开始办理")
    page.wait_for_load_state()
    page.goto(page.url.rsplit("/", 1)[0] + "/service")
    page.fill('[name="service.proof_from"]', start)
    page.fill('[name="service.proof_to"]', "2025-12")
    page.click("text=保存并继续")
    page.wait_for_url("**/check")
    page.click("text=确认并提交")
    page.wait_for_url("**/cases/**")
    return page.url.split("?")[0], page.inner_text(".done b")


def open_at_desk(page, number):
    page.goto("/desk")
    page.locator(".inbox tr", has_text=number).locator("a").first.click()
    page.wait_for_load_state()


def test_supplement_is_asked_once_answered_in_one_place_and_the_certificate_arrives(visit):
    father, clerk = visit("father"), visit("official16")
    path, number = apply(father, "2020-01")
    open_at_desk(clerk, number)
    clerk.click("summary")
    clerk.check('[name="keys"][value="service.proof_from"]')
    clerk.fill("#note", "起始年月早于首次参保，请核对")
    clerk.click("text=发出补正告知")
    assert "等您补正" in clerk.inner_text(".desk__act")
    father.goto(path)
    assert "等您补正" in father.inner_text("main")
    father.click("text=去补正")
    assert "早于首次参保" in father.inner_text("main")
    assert violations(father) == []
    father.fill('[name="service.proof_from"]', "2021年")
    father.click("text=提交补正")
    assert "2021年" in father.inner_text(".errs")
    father.fill('[name="service.proof_from"]', "2021-03")
    father.click("text=提交补正")
    assert "已补正" in father.inner_text("main")
    open_at_desk(clerk, number)
    assert "2021-03" in clerk.inner_text("main")
    assert "发出补正告知" not in clerk.inner_text("main")  # only once
    clerk.check('[name="outcome"][value="grant"]')
    clerk.click(".desk__act button:has-text('确定') >> nth=0")

    def certificate():
        father.goto(path)
        return father.locator("a:text-is('基本医疗保险参保凭证')").count()

    until(certificate)
    father.goto("/messages")
    assert "需要补正" in father.inner_text("main")


def test_a_refusal_has_reasons_and_routes_of_appeal(visit):
    father, clerk = visit("father"), visit("official16")
    path, number = apply(father, "2019-01")
    open_at_desk(clerk, number)
    clerk.check('[name="outcome"][value="deny"]')
    clerk.click(".desk__act button:has-text('确定') >> nth=0")
    assert "请写明理由" in clerk.inner_text("main")  # no adverse decision without reasons
    clerk.check('[name="outcome"][value="deny"]')
    clerk.fill("textarea[name=reason] >> nth=0", "该期间没有缴费记录")
    clerk.click(".desk__act button:has-text('确定') >> nth=0")

    def decided():
        father.goto(path)
        return father.locator("a:text-is('不予决定书')").count()

    until(decided)
    text = father.inner_text("main")
    assert "该期间没有缴费记录" in text
    assert "行政复议" in text
    assert "行政诉讼" in text


def test_registers_alone_decide_what_the_pack_lets_them_and_a_person_the_rest(visit):
    """秒批: all conditions known from registers → granted at once, by the system; one that fails → the desk."""

    def file(province):
        page = visit("elder")
        page.goto("/services/yb.remote_care")
        page.click("text=开始办理")
        page.wait_for_load_state()
        page.goto(page.url.rsplit("/", 1)[0] + "/service")
        page.select_option('[name="service.care_province"]', province)
        page.check('[name="service.care_reason"] >> nth=0')
        page.click("text=保存并继续")
        page.wait_for_url("**/check")
        page.click("text=确认并提交")
        page.wait_for_url("**/cases/**")
        return page, page.url.split("?")[0], page.inner_text(".done b")

    page, path, _number = file("11")

    def granted():
        page.goto(path)
        return page.locator("a:text-is('异地就医备案凭证')").count()

    until(granted, 20)
    assert "系统自动办理" in page.inner_text("main")
    page, path, number = file("37")  # at home: the condition is not met, so nobody is refused by a machine
    clerk = visit("official16")
    open_at_desk(clerk, number)
    assert "不符合" in clerk.inner_text("main")
    page.goto(path)
    assert page.locator("a:text-is('异地就医备案凭证')").count() == 0
