"""A transfer's notices in an installation: who carries them, where receipts come back, who sends other messages.

Everything lies in the exchange, outside the data directory: `<exchange>/letters` for the printer,
`<exchange>/public-notices`, `<exchange>/receipts` (receipts of the SMS provider and the post, one JSON file each) and
`<exchange>/returned-mail` (a Maildir into which the mail server delivers what comes back).
"""

from temporalio.client import Client

from activities.duties.accuracy_scheduler import AccuracyScheduler
from activities.duties.runner import Duty
from activities.gateways.spool import Spool
from activities.transfers.accuracy import SqlAccuracy
from activities.transfers.customer_messages import CustomerMessenger
from activities.transfers.notice_bounces import FolderReceipts, MaildirReports
from activities.transfers.notice_gateways import Carriers, LetterSpool
from activities.transfers.notices import SqlNotices
from compliance.vault.keyring import Vault
from deploy.messages import message_gateways
from deploy.values import Settings
from models.database.engine import Database
from models.domain.clock import Clock
from workflows.support.ids import BULK_QUEUE
from workflows.support.options import RPC_TIMEOUT, WORKFLOW_TASK_TIMEOUT


def carriers_of(settings: Settings) -> Carriers:
    """The house's gateways for text messages and mail, and the folder of letters."""
    return Carriers(messages=message_gateways(settings), post=LetterSpool(settings.exchange / "letters"))


def transfer_notices(settings: Settings, database: Database, vault: Vault, clock: Clock) -> SqlNotices:
    """The adapter of `workflows.ports.transfers.NoticePort`."""
    return SqlNotices(
        database=database,
        vault=vault,
        carriers=carriers_of(settings),
        clock=clock,
        links_url=settings.links_url,
        sources=(MaildirReports(settings.exchange / "returned-mail"), FolderReceipts(settings.exchange / "receipts")),
        public_folder=Spool(settings.exchange / "public-notices"),
    )


def accuracy_check(database: Database, vault: Vault, clock: Clock) -> SqlAccuracy:
    """The adapter of `workflows.ports.transfer_accuracy.AccuracyPort`."""
    return SqlAccuracy(database, vault, clock)


def notice_duties(
    settings: Settings, database: Database, vault: Vault, client: Client, clock: Clock
) -> tuple[Duty, ...]:
    """Messages outside of jobs, and the schedules of the periodic check of moved records."""
    return (
        CustomerMessenger(database, vault, carriers_of(settings), clock),
        AccuracyScheduler(database, client, BULK_QUEUE, WORKFLOW_TASK_TIMEOUT, RPC_TIMEOUT),
    )
