"""
Every command that a message names runs as it stands there, and its answer fits the situation.

Those whose message a small project raises are taken from the message itself: see `test_hints_help.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.acceptance.test_hints_help import SITUATIONS
from tests.fix_requests import Erasing
from tests.unit.test_hints import CASES, FILLED

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

Named = tuple[str, tuple[str, ...]]

STEP = "default:streaming.0012"
"""A step of the sample that is applied, and whose undoing drops nothing."""
FITTING: Mapping[Named, tuple[tuple[str, ...], int, str]] = {
    ("accord_token", ("create",)): (("create", "--as", "filer"), 0, "accord_"),
    ("accord_token", ("create", "--output", "FILE")): (
        ("create", "--output", "{token}", "--as", "filer"), 0, "token",
    ),
    ("accord_token", ("list",)): (("list", "--as", "filer"), 0, "until"),
    ("audit_verify", ("--checkpoint",)): (("--checkpoint",), 0, "Signed the head"),
    ("audit_verify", ("--full",)): (("--full",), 0, "intact"),
    ("audit_verify", ("--new-heads", "--reason", "TEXT")): (
        ("--new-heads", "--reason", "moved"), 0, "intact",
    ),
    ("backfill_kept", ("--drop",)): (("--drop",), 0, "No values of before are kept"),
    ("batch_jobs", ("list",)): (("list",), 0, "There are no jobs in batches"),
    ("gdpr_datamap", ("check",)): (("check",), 0, "Everything is classified"),
    ("gdpr_datamap", ("show",)): (("show",), 0, "streaming"),
    ("gdpr_erase", ("--request", "REFERENCE")): (("--request", "{planned}"), 5, "approval"),
    ("gdpr_erase", ("--request", "{reference}")): (("--request", "{planned}"), 5, "approval"),
    ("gdpr_erase", ("--request", "REFERENCE", "--identity", "METHOD")): (
        ("--request", "{unknown}", "--identity", "staff", "--as", "filer"), 5, "approval",
    ),
    ("gdpr_erase", ("--request", "{reference}", "--identity", "METHOD")): (
        ("--request", "{unknown}", "--identity", "staff", "--as", "filer"), 5, "",
    ),
    ("gdpr_erase", ("--request", "{reference}", "--approve", "--as", "USERNAME")): (
        ("--request", "{planned}", "--approve", "--as", "approver", "--reason", "seen"), 0, "approved",
    ),
    ("gdpr_erase", ("--request", "{reference}", "--resume")): (
        ("--request", "{planned}", "--resume"), 0, "complete",
    ),
    ("gdpr_erase", ("KEY", "--as", "USERNAME")): (("6", "--by", "id", "--as", "filer"), 5, "approval"),
    ("gdpr_erase", ("KEY", "--verify-only")): (
        ("6", "--by", "id", "--verify-only"), 3, "left that should go",
    ),
    ("gdpr_erase", ("SUBJECT",)): (("7", "--by", "id", "--dry-run"), 0, ""),
    ("gdpr_replay", ("--dry-run",)): (("--dry-run",), 0, "No store was restored"),
    ("gdpr_retention", ("--dry-run",)): (("--dry-run",), 0, "plays"),
    ("gdpr_retention", ("--as", "USERNAME")): (("--as", "approver"), 0, "Inactive people"),
    ("gdpr_retention", ("--yes", "--as", "USERNAME")): (("--yes", "--as", "approver"), 0, "nothing is left"),
    ("gdpr_hold", ("list",)): (("list",), 0, ""),
    ("gdpr_restrict", ("list",)): (("list",), 0, "There are no restrictions"),
    ("gdpr_restrict", ("add", "KEY")): (
        ("add", "8", "--by", "id", "--reason", "18(1)(a)", "--as", "filer"), 0, "accuracy contested",
    ),
    ("gdpr_rights", ("list",)): (("list",), 0, "No request of a right is open"),
    ("gdpr_hold", ("place", "KEY")): (
        ("place", "8", "--by", "id", "--reason", "17(3)(e)", "--as", "filer"), 0, "",
    ),
    ("gdpr_hold", ("release",)): (("release", "{hold}", "--as", "approver"), 0, ""),
    ("migrate_all", ("--baseline", "--step", "STEP")): (("--baseline", "--step", STEP), 0, ""),
    ("migrate_all", ("--baseline", "--to", FILLED)): (("--baseline", "--to", STEP), 0, ""),
    ("migrate_all", ("--check-live",)): (("--check-live",), 0, "looked at: no difference"),
    ("migrate_all", ("--check", "--wait", "300")): (("--check", "--wait", "300"), 0, ""),
    ("migrate_all", ("--dry-run",)): (("--dry-run",), 0, "Nothing to do"),
    ("migrate_all", ("--plan",)): (("--plan",), 0, ""),
    ("migrate_all", ("--revert", "--step", "STEP")): (
        ("--revert", "--step", "default:streaming.0013", "--even-with-data"), 0, "",
    ),
    ("migrate_all", ("--snapshot", "DIR")): (("--snapshot", "{file}.schema"), 0, "new or changed"),
    ("migrate_all", ("--to", FILLED)): (("--to", "default:streaming.0013"), 0, ""),
    ("migrate_all", (FILLED,)): (("streaming",), 0, ""),
    ("migration_approval", ("list",)): (("list",), 0, ""),
    ("migration_approval", ("attest", "--output", "FILE")): (("attest", "--output", "{file}"), 0, ""),
}  # fmt: skip
"""By what a message names: the command as a person would fill it, its exit code, and a word of its answer."""
_BATCHES = "integration/batches/test_command.py::"
_EMBEDDED = "integration/embedded/test_lifecycle.py::"
_FORGETTING = "integration/engine/test_forgetting.py::"
_GOVERNANCE = "acceptance/test_governance.py::"
_PARTITIONS = "acceptance/test_partitions.py::"
_REBUILD = "acceptance/test_rebuild.py::"
_RECOVERY = "acceptance/test_recovery.py::"
_RESTORED = "acceptance/test_restored.py::test_somebody_new_with_the_key_of_an_erased_person_stays"
_REQUEST_KEYS = "acceptance/test_request_keys.py::"
_RETENTION = "acceptance/test_retention_approval.py::"
_SETTLING = "integration/engine/test_settling.py::"
_SPELLINGS = "acceptance/test_spellings.py::"
_UNINSTALL = "acceptance/test_uninstall.py::"
ELSEWHERE: Mapping[Named, str] = {
    ("accord_environment", ("change", "--reason", "TEXT")): "acceptance/test_environments.py::"
    "test_change_that_was_killed_goes_on",
    ("accord_uninstall", ("--remove",)): _UNINSTALL + "test_the_page_leads_out_and_django_goes_on",
    ("accord_uninstall", ("--remove", "--with-evidence")): _UNINSTALL
    + "test_the_page_leads_out_and_django_goes_on",
    ("batch_jobs", ("resume",)): _BATCHES + "test_who_may_steers_a_job",
    ("batch_jobs", ("run", "NAME")): _BATCHES + "test_job_is_shown_and_gone_on_with",
    ("batch_jobs", ("show", "NAME")): _BATCHES + "test_job_is_shown_and_gone_on_with",
    ("embedded", ("reset",)): _EMBEDDED + "test_reset_deletes_data_and_keeps_the_url",
    ("embedded", ("start",)): _EMBEDDED + "test_events_tell_what_happens_and_a_running_server_is_left_alone",
    ("embedded", (FILLED,)): _EMBEDDED + "test_events_tell_what_happens_and_a_running_server_is_left_alone",
    ("gdpr_datamap", ("freeze",)): (
        "integration/gdpr/test_freezing.py::test_what_comes_after_the_review_is_told_until_it_is_reviewed"
    ),
    ("gdpr_erase", ("--request", "REFERENCE", "--another-person", "ENTRY")): (
        "acceptance/test_reused_keys.py::test_new_account_with_the_address_of_an_erased_person_stays"
    ),
    ("gdpr_replay", ("--another-person", "REFERENCE")): _RESTORED,
    ("gdpr_replay", ("--new-register", "--as", "USERNAME")): (
        "acceptance/test_register.py::test_lost_register_is_begun_anew"
    ),
    ("gdpr_replay", ("--same-person", "REFERENCE")): _RESTORED,
    ("gdpr_erase", ("--request", "REFERENCE", "--key", "KEY")): _REQUEST_KEYS
    + "test_lost_key_is_asked_for_and_held_against_the_request",
    ("gdpr_erase", ("--request", "{reference}", "--key", "KEY")): _REQUEST_KEYS
    + "test_lost_key_is_asked_for_and_held_against_the_request",
    ("gdpr_erase", ("--request", "{reference}", "--key", "KEY", "--key", "NAME=VALUE")): _REQUEST_KEYS
    + "test_key_lost_after_the_fence_takes_every_key_and_a_question",
    ("gdpr_retention", ("--approve", FILLED, "--as", "USERNAME")): _RETENTION
    + "test_another_person_lets_go_what_had_run_out_by_the_day_of_the_plan",
    ("gdpr_retention", ("--reject", FILLED, "--reason", "TEXT", "--as", "USERNAME")): _RETENTION
    + "test_more_than_was_approved_is_planned_anew_and_fewer_go",
    ("migrate_all", ("--break-glass",)): "acceptance/test_break_glass.py::"
    "test_emergency_runs_on_record_and_blocks_until_another_person_has_reviewed_it",
    ("migrate_all", ("--forget", FILLED, "--reason", '"WHY"')): _FORGETTING
    + "test_remedy_for_what_another_release_began_works",
    ("migrate_all", ("--rebuild", FILLED)): _REBUILD
    + "test_new_search_engine_is_filled_by_the_command_of_the_message",
    ("migrate_all", ("--revert", "--fake", "--step", FILLED)): _FORGETTING
    + "test_remedy_for_what_another_release_began_works",
    ("migrate_all", ("--revert", "--run", FILLED)): _RECOVERY
    + "test_way_back_undoes_this_run_in_every_store_and_no_more",
    ("migrate_all", ("--revert", "--step", FILLED)): _FORGETTING
    + "test_remedy_for_what_another_release_began_works",
    ("migrate_all", ("--revert", FILLED)): _SPELLINGS + "test_forward_back_and_zero",
    ("migrate_all", ("--revert", FILLED, FILLED)): _SPELLINGS + "test_forward_back_and_zero",
    (
        "migration_approval",
        ("approve", FILLED, "--as", "USERNAME", "--reason", "TEXT"),
    ): _GOVERNANCE + "test_first_approval_of_an_empty_production",
    (
        "migration_approval",
        ("request", "--kind", "drift", FILLED, "--as", "USERNAME", "--reason", "TEXT"),
    ): _SETTLING + "test_accepted_drift_stops_nothing_until_ledger_or_file_changes",
    (
        "migration_approval",
        ("review", FILLED, "--as", "USERNAME", "--reason", "TEXT"),
    ): "acceptance/test_break_glass.py::"
    "test_emergency_runs_on_record_and_blocks_until_another_person_has_reviewed_it",
    ("gdpr_restrict", ("lift",)): "acceptance/test_restriction.py::"
    "test_a_restriction_is_put_on_record_and_lifted_at_the_command_line",
    ("partition", ("finish", "MODEL", "--yes-drop")): _PARTITIONS
    + "test_what_would_be_dropped_asks_for_a_word",
    ("partition", ("maintain",)): _PARTITIONS + "test_what_would_be_dropped_asks_for_a_word",
    ("partition", ("plan",)): _PARTITIONS + "test_table_of_the_sample_is_divided_and_put_back",
    ("partition", ("revert", "MODEL")): _PARTITIONS + "test_table_of_the_sample_is_divided_and_put_back",
    ("migration_approval", ("import", "FILE")): _GOVERNANCE + "test_production_follows_staging",
    ("migration_approval", ("request",)): _GOVERNANCE + "test_asking_twice_gives_one_request",
}
"""What a test of its own runs, in a situation that takes more than the sample: which one."""
HOLDS = "SELECT reference FROM gdpr_legalhold"
TESTS = Path(__file__).parents[1]


def test_each_command_that_a_message_names_is_run_somewhere() -> None:
    """A new hint that names a command brings the situation in which that helps."""
    raised = {situation.names for situation in SITUATIONS if situation.names[1]}
    known = {*FITTING, *ELSEWHERE, *raised}
    assert {named for named, _ in CASES} - known == set()
    assert known - {named for named, _ in CASES} == set()


@pytest.mark.parametrize("named", ELSEWHERE, ids=lambda named: " ".join((named[0], *named[1])))
def test_another_test_runs_the_command(named: Named) -> None:
    """The file is there, with that very test."""
    file, _, test = ELSEWHERE[named].partition("::")
    assert f"def {test}(" in (TESTS / file).read_text(encoding="utf-8")


def test_commands_run_as_they_are_named(erasing: Erasing, tmp_path: Path) -> None:
    """One after the other on the sample: no usage error, no traceback, and the documented exit code."""
    gaps = {
        "planned": erasing.reference("planned(3)"),
        "unknown": erasing.reference("requests.file_request(keys(4), by=filer, channel=Channel.COMMAND)"),
        "file": str(tmp_path / "attestation.json"),
        "hold": "",
        "token": str(tmp_path / "token"),
    }
    wrong: list[str] = []
    for (command, _), (words, code, said) in FITTING.items():
        if "{hold}" in words:
            [gaps["hold"], *_] = [*(str(one) for (one,) in erasing.rows(HOLDS)), "none"]
        more = ("--noinput",) if command in ("gdpr_erase", "migrate_all") else ()
        done = erasing.command(command, *(word.format(**gaps) for word in words), *more)
        text = done.stdout + done.stderr
        if done.returncode != code or said not in text or "Traceback" in text:
            wrong.append(f"{command} {' '.join(words)}: {done.returncode}, not {code}\n{text[-600:]}")
    assert not wrong, "\n\n".join(wrong)
