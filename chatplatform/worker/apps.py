from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "chatplatform.worker"
    label = "worker"
