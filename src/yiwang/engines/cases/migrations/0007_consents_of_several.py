from django.db import migrations, models


class Migration(migrations.Migration):
    """An application may need several people's consent: who each is in the form, and in which round he was asked."""

    dependencies = [
        ("cases", "0006_review"),
    ]

    operations = [
        migrations.AddField("consent", "subject_name", models.CharField(default="", max_length=50)),
        migrations.AddField("consent", "role", models.CharField(default="", max_length=80)),
        migrations.AddField("consent", "round", models.PositiveIntegerField(default=1)),
        migrations.RemoveConstraint("consent", "one_open_consent_a_draft"),
        migrations.AddConstraint(
            "consent",
            models.UniqueConstraint(
                condition=models.Q(("answered_at", None)),
                fields=("draft", "subject_id"),
                name="one_open_consent_a_person",
            ),
        ),
    ]
