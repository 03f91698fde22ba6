"""Persons and the accounts with which they sign in."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models

from yiwang.kernel.ids import new_id


class Person(models.Model):
    """A natural person. No score, no biometrics, no location: who they are, and how to reach them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=50)
    idno = models.CharField(max_length=18, unique=True)  # GB 11643; unique, masked wherever it is shown
    phone = models.CharField(max_length=20, blank=True)

    def __str__(self):
        return self.name


class Enterprise(models.Model):
    """A registered enterprise that people act for. What registers know of it stays in the registers."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    uscc = models.CharField(max_length=18, unique=True)  # GB 32100
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.name


class Mandate(models.Model):
    """授权: somebody may act for a subject, until a day or until it is taken back; both sides see it.

    For an enterprise, ``roles`` are admin (may give mandates), handler (may file) and viewer; for a person
    who authorised a relative or an agent, handler. ``scope`` limits it to services; null means all.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject_kind = models.CharField(max_length=12)  # person, enterprise
    subject_id = models.UUIDField(db_index=True)
    subject_name = models.CharField(max_length=120)
    agent = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="mandates")
    agent_name = models.CharField(max_length=50)
    roles = ArrayField(models.CharField(max_length=20))
    scope = ArrayField(models.CharField(max_length=80), null=True)
    since = models.DateField()
    until = models.DateField(null=True)
    granted_by = models.CharField(max_length=60)
    created = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created"]


class ApiToken(models.Model):
    """What a department's system signs in with: the account's rights, narrowed to ``scopes``.

    Only the hash is kept: 256 random bits need no salt, and a stolen copy of the table opens nothing.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("User", on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    sha256 = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=12))  # see tokens.SCOPES
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateField()  # the last day
    used = models.DateField(null=True)  # the last day of use; not the moment, which nobody needs
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="token_name_once")]


class UserManager(BaseUserManager):
    def create_user(self, username, password=None, **extra):
        """Make an account; without a password it can only be entered through the demo list or OIDC."""
        user = self.model(username=username, **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username):
        return self.get(username=username)


class User(AbstractBaseUser):
    """A sign-in. Residents and officials alike are persons; what an official may do comes from posts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="users")
    is_active = models.BooleanField(default=True)
    demo_role = models.CharField(max_length=60, blank=True)  # shown in the demo sign-in list; empty elsewhere
    demo_order = models.PositiveSmallIntegerField(default=0)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = []
    objects = UserManager()

    def __str__(self):
        return self.username
