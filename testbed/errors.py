"""The one error of the testbed: a message that says what to do."""


class TestbedError(Exception):
    """Something of the testbed cannot be made, started or stopped.

    The text is shown to the user as it is, so it names the thing, the value, and
    what to check next.
    """

    # pytest collects classes by this prefix; this one is no test.
    __test__ = False
