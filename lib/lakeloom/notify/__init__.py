"""People are told: what happened → a message → channels, one file a kind."""

CHANNELS = {
    "email": "lakeloom.notify.mail:Mail",
    "slack": "lakeloom.notify.slack:Slack",
    "webhook": "lakeloom.notify.webhook:Webhook",
}
