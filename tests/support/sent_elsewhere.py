"""Forms that no walk fills, by the test that sends them: each is held to do so.

They need a file, a passkey, a provider, a mail, an authority, or a state or figure that no form
gives: a code, a finding, a reservation, a bought document.
"""

from __future__ import annotations

from typing import Final

SENT_BY: Final = {
    "api/test_pages_bulk.py": {
        "test_all_rows_become_one_order_and_a_second_press_none": ("/orders/bulk",),
    },
    "api/test_pages_quick.py": {
        "test_nobody_requests_for_another": ("/orders/quick",),
    },
    "api/test_authenticate.py": {
        "test_a_code_is_examined_as_well": ("/authenticate",),
    },
    "api/test_cookies.py": {
        "test_every_cookie_is_of_this_host_and_hidden_from_scripts": ("/language",),
        "test_who_signs_out_leaves_nothing_in_the_cache": ("/sign-out",),
    },
    "api/test_keys_doors.py": {
        "test_the_page_proposes_and_the_colleague_consents": (
            "/lab/keys/{key_id}/consent",
            "/lab/keys/{key_id}/retire",
        ),
        "test_the_page_proposes_to_give_a_key_up_and_it_stays_until_the_consent": (
            "/lab/keys/{key_id}/compromise",
        ),
    },
    "api/test_pages_account.py": {
        "test_a_second_factor_from_the_picture_to_the_sign_in_with_it": (
            "/account/factor/confirm",
            "/account/factor/end",
        ),
        "test_the_sign_ins_are_told_and_the_others_ended": (
            "/account/prove",
            "/account/sessions/end-others",
        ),
    },
    "api/test_pages_bench.py": {
        "test_a_warning_is_accepted_with_a_reason": ("/calibrations/{calibration_id}/warnings",),
        "test_readings_come_from_a_file_after_a_dry_run": (
            "/calibrations/{calibration_id}/import",
        ),
        "test_what_is_being_typed_gives_results_and_stays_unsaved": (
            "/calibrations/{calibration_id}/live",
        ),
    },
    "api/test_pages_bench_issue.py": {
        "test_review_authorise_issue_once_however_often_the_button_is_pressed": (
            "/calibrations/{calibration_id}/authorise",
        ),
    },
    "api/test_pages_catalogue.py": {
        "test_a_limit_is_confirmed_and_revoked_where_it_stands": (
            "/catalogue/{type_id}/confirm",
            "/catalogue/{type_id}/revoke",
        ),
    },
    "api/test_pages_methods.py": {
        "test_a_file_goes_out_and_comes_in": ("/methods/import",),
    },
    "api/test_pages_oversight.py": {
        "test_a_problem_is_opened_on_the_page_answered_by_the_laboratory_and_closed": (
            "/oversight/problems/new",
            "/oversight/problems/{problem_id}/close",
            "/oversight/problems/{problem_id}/return",
        ),
        "test_the_week_is_looked_at_handed_in_and_taken_as_a_workbook": ("/oversight/reports",),
    },
    "api/test_pages_password.py": {
        "test_from_the_mail_to_the_new_password": (
            "/password",
            "/password/forgotten",
            "/sign-in",
        ),
    },
    "api/test_pages_posted.py": {
        "test_a_colleague_consents_by_form_and_nobody_else": (
            "/certificates/{certificate_id}/consent",
        ),
        "test_a_lost_second_factor_is_taken_away_by_form": ("/lab/people/{person_id}/factor",),
        "test_a_passkey_is_made_proves_and_is_removed": (
            "/account/factor/codes",
            "/account/passkeys",
            "/account/passkeys/begin",
            "/account/passkeys/{passkey_id}/end",
            "/account/prove/begin",
            "/sign-in/passkey",
            "/sign-in/passkey/begin",
        ),
        "test_a_reserved_number_is_voided_by_form": ("/certificates/{certificate_id}/void",),
        "test_an_instrument_passes_to_another_customer_by_form": (
            "/instruments/{instrument_id}/transfer",
        ),
        "test_an_order_is_finished_and_given_back_by_form": (
            "/orders/{order_id}/finish",
            "/orders/{order_id}/give-back",
        ),
        "test_circumstances_side_by_side_are_noted_and_handed_over": (
            "/calibrations/side/facts",
            "/calibrations/side/submit",
        ),
        "test_light_or_dark_is_kept_in_a_cookie_and_told_to_nobody": ("/theme",),
        "test_one_sign_in_is_ended_and_the_other_goes_on": ("/account/sessions/{session_id}/end",),
        "test_readings_side_by_side_are_tried_and_entered": (
            "/calibrations/side/live",
            "/calibrations/side/readings",
        ),
    },
    "api/test_pages_provider.py": {
        "test_a_begun_sign_in_is_refused_from_another_site": (
            "/sign-in/provider",
            "/sign-in/provider/back",
            "/sign-in/provider/finish",
        ),
        "test_an_account_is_connected_from_within_and_disconnected": (
            "/account/identity",
            "/account/identity/back",
            "/account/identity/end",
        ),
    },
    "api/test_pages_registry_standards.py": {
        "test_a_certificate_is_typed_with_all_its_digits": (
            "/standards/{standard_id}/certificates/new",
        ),
        "test_a_damaged_kept_file_is_refused": ("/standards/{standard_id}/certificates/dcc",),
        "test_an_import_shows_first_and_writes_on_the_second_press": ("/{kind}/import",),
    },
    "api/test_pages_ways_out.py": {
        "test_a_refused_mail_is_sent_again_from_the_page_that_tells_of_it": (
            "/mails/{mail_id}/send-again",
        ),
    },
    "api/test_signing.py": {
        "test_the_page_asks_once_and_signs": ("/calibrations/{calibration_id}/sign",),
    },
}
