"""/healthz: ready or not, without session, actor or transaction."""

from django.db import Error, connection
from django.http import JsonResponse


def healthz(get_response):
    """Answer /healthz before anything else needs the database."""

    def middleware(request):
        if request.path != "/healthz":
            return get_response(request)
        try:
            with connection.cursor() as cursor:
                cursor.execute("select count(*) from packs_release")
                (releases,) = cursor.fetchone()
        except Error as error:
            return JsonResponse({"ready": False, "database": str(error).splitlines()[0]}, status=503)
        ready = releases > 0
        return JsonResponse({"ready": ready, "database": "ok"}, status=200 if ready else 503)

    return middleware
