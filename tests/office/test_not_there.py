"""What is not there: staff are led to the list, in words that frighten nobody, whatever the id is."""

import pytest
from django.utils.translation import override

from tests.cast import issue_token, new_id
from tests.office.answers import hear, read

PAGES = (
    "accounts/account",
    "accounts/user",
    "accounts/hold",
    "events/subscription",
    "transactions/transaction",
)


@pytest.mark.parametrize("model", PAGES)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_an_unknown_id_leads_to_the_list_and_is_not_said_to_be_deleted(superuser, model, language):
    with override(language):
        id, headers = new_id(), {"Accept-Language": language}
        answer = superuser.get(f"/admin/{model}/{id}/change/", headers=headers)
        assert answer["Location"] == f"/admin/{model}/"
        text = read(superuser.get(answer["Location"], headers=headers))
    assert str(id) in text
    assert {"en": "Not found:", "ru": "Не найдено:"}[language] in text
    for frightening in ("Perhaps it was deleted", "doesn’t exist", "было удалено", "не существует"):
        assert frightening not in text


def test_of_a_long_id_the_beginning_is_said(superuser):
    answer = superuser.get(f"/admin/accounts/account/{'a' * 3000}/change/")
    assert hear(answer).count("a" * 60) == 1
    assert "a" * 61 not in hear(answer)


def test_revoking_a_token_leads_to_its_page(superuser):
    token = issue_token("api-read")[:15]
    address = f"/admin/accounts/token/{token}"
    answer = superuser.post(f"{address}/revoke/", {"reason": "leaked"}, follow=True)
    assert answer.redirect_chain == [(f"{address}/change/", 302)]
    assert "Not found" not in read(answer)
    gone = superuser.get("/admin/accounts/token/0123456789abcde/revoke/")
    assert "0123456789abcde" in hear(gone)
