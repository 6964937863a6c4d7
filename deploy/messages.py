"""Which provider carries each channel of notices, by the settings; without one the embedded stack spools."""

from pathlib import Path

from activities.gateways.mail_smtp import MailSmtp, SmtpServer, SmtpTls
from activities.gateways.messages import MessageGateway
from activities.gateways.sms_http import SmsHttp
from activities.gateways.spool import Spool
from deploy.values import Settings
from models.domain.notices import NoticeChannel


def message_gateways(settings: Settings) -> dict[NoticeChannel, MessageGateway]:
    """A gateway per channel. In production a channel without a provider has none: its notices fail, for staff to see.

    The settings were judged before (`deploy.safety`).
    """
    chosen = {NoticeChannel.SMS: _sms(settings), NoticeChannel.MAIL: _mail(settings)}
    if not settings.is_production:
        spool = Spool(spool_folder(settings))
        chosen = {channel: gateway or spool for channel, gateway in chosen.items()}
    return {channel: gateway for channel, gateway in chosen.items() if gateway is not None}


def spool_folder(settings: Settings) -> Path:
    """Where messages lie that have no provider."""
    return settings.exchange / "spool"


def _sms(settings: Settings) -> MessageGateway | None:
    sms = settings.sms
    return None if sms.url is None else SmsHttp(url=sms.url, token=sms.token)


def _mail(settings: Settings) -> MessageGateway | None:
    mail = settings.mail
    if mail.host is None or mail.sender is None:
        return None
    server = SmtpServer(
        host=mail.host,
        port=mail.port,
        tls=SmtpTls(mail.tls),
        user=mail.user,
        password=mail.password,
        ca_file=mail.ca_file,
    )
    return MailSmtp(server=server, sender=mail.sender)
