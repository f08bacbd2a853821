"""Which tests the coverage of the core is measured in: those of the core, which have to cover it by themselves.

All others run a third faster without, and so do the programs that they start, and collecting takes a third less.
"""

import contextlib
import importlib
import os
import pkgutil
import sys
import threading

CORE = (
    "tests/causes/",
    "tests/cli/test_explain.py",
    "tests/cli/test_join.py",
    "tests/explain/",
    "tests/findings/",
    "tests/judge/",
    "tests/label/",
    "tests/loops/test_packed.py",
    "tests/loops/test_pool.py",
    "tests/report/test_joint",
    "tests/report/test_story_text.py",
    "tests/survey/",
    "tests/test_joining.py",
    "tests/test_scenarios.py",
    "tests/test_segment.py",
    "tests/track/",
    "tests/words/",
)
"""How their paths begin: ``source_pkgs`` of pyproject.toml, mirrored, and what brings flows together or tells them."""

AGAIN = (
    "test_a_long_capture_is_swept_by_itself",
    "test_an_even_stream_of_messages_of_any_length",
    "test_bounds_of_simulated_probers_are_in_order",
    "test_claims_about_simulated_pairs",
    "test_columns_of_scenarios_equal_the_reference",
    "test_columns_say_what_records_say",
    "test_columns_say_what_the_closings_of_a_record_say",
    "test_compiled_equals_plain",
    "test_cutting_into_batches_changes_nothing",
    "test_drawn_flows_have_the_facts_they_have_alone",
    "test_every_contest_has_a_scenario",
    "test_every_statement_carries_its_frames",
    "test_looking_for_a_flow_takes_as_long_wherever_addresses_differ",
    "test_many_are_inferred_as_each_is",
    "test_more_flows_leave_than_one_pass_can_push_out",
    "test_packed_rows_give_the_same_facts",
    "test_packets_written_in_another_order_have_the_same_fates",
    "test_simulated_probers",
    "test_twice_as_many_rows_take_twice_the_looks",
    "test_who_raises_no_question_has_no_cause_that_needs_one",
)
"""How tests of the core begin that pass over the same lines thousands of times, which others reach as well."""


class Measuring:
    """Turns coverage off once the core is imported, and on in tests of the core."""

    def __init__(self):
        """Nothing is turned off yet."""
        self.tracers = None

    def begin(self, *, leads):
        """Measure how the core is imported, but no other test, and no program that a test starts.

        Who leads others runs no test, and starts them with the order to measure.
        """
        if type(sys.gettrace()).__module__.partition(".")[0] == "coverage":
            if not leads:
                import_all(sys.modules["coverage"].Coverage.current().get_option("run:source_pkgs"))
                os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
                self.tracers = sys.gettrace(), threading.gettrace()
            self.trace(None, None)

    def keep(self):
        """Write down what was measured: a process that takes long to end is killed before it would."""
        if self.tracers is not None:
            sys.modules["coverage"].Coverage.current().save()

    @contextlib.contextmanager
    def of(self, path):
        """Measure if this is a test of the core, given as FILE::NAME."""
        name = path.partition("::")[2]
        if self.tracers is None or not path.startswith(CORE) or name.startswith(AGAIN):
            yield
            return
        self.trace(*self.tracers)
        try:
            yield
        finally:
            self.trace(None, None)

    @staticmethod
    def trace(here, in_threads):
        """Have each line seen by these, or by nobody."""
        threading.settrace(in_threads)
        sys.settrace(here)


def import_all(packages):
    """Import these packages and modules, and everything in them."""
    for name in packages:
        inside = getattr(importlib.import_module(name), "__path__", [])
        import_all(each.name for each in pkgutil.iter_modules(inside, f"{name}."))
