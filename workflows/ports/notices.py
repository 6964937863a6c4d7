"""Telling customers something (通知)."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.notices import NoticeAnswer, SendNoticeInput


class NoticePort(ABC):
    """Sends what is queued. A workflow that need not wait for it queues only: the notifier sends what is due."""

    @activity.defn(name="notices.send", no_thread_cancel_exception=True)
    @abstractmethod
    def send(self, input: SendNoticeInput) -> NoticeAnswer:
        """Send one queued notice; repeated, the provider gets it under the same id."""
