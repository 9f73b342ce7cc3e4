"""What is shown and asked before something that can't be undone; the answer itself goes elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.management.base import OutputWrapper

from accord.cli.questions import require_yes
from gdpr.cli import answers
from gdpr.erasure import planning
from gdpr.models import ErasureRequest


@dataclass(frozen=True)
class Conversation:
    """
    A person at a terminal, or the absence of one.

    Args:
        stream: Standard error, where messages go.
        interactive: Whether questions may be asked.
        quiet: Whether plans are left out, because the answer is for a program.
    """

    stream: OutputWrapper
    interactive: bool
    quiet: bool

    def show_plan(self, request: ErasureRequest) -> None:
        """Show the plan that counts, before a question about it."""
        if self.interactive and not self.quiet:
            lines = answers.joined(answers.plan_lines(planning.current(request).document))
            self.stream.write(lines, lambda text: text)

    def confirm(self, question: str) -> None:
        """
        Ask, where a question may be asked.

        Raises:
            NotConfirmed: The answer was not yes, or there is no terminal to answer at.
        """
        if self.interactive:
            require_yes(question)
