"""A Django project with an admin site: its settings and templates here, its models and views where Django has them."""

FORM = "<form method=post action={}>{{% csrf_token %}}<input name=item><button>Go</button></form>"
TEMPLATES = {
    "home.html": "{{ user.username|default:'nobody' }}: {% for each in orders %}{{ each }}. {% endfor %}"
    "{% for each in messages %}[{{ each.tags }}: {{ each }}]{% endfor %}"
    + FORM.format("/orders")
    + FORM.format("/logout"),
    "login.html": "{{ form.errors }}" + FORM.format("/login"),
}


def settings_in(folder):
    apps = ("admin", "auth", "contenttypes", "messages", "sessions", "staticfiles")
    context = ("template.context_processors.request", "contrib.auth.context_processors.auth")
    loaders = [("django.template.loaders.locmem.Loader", TEMPLATES), "django.template.loaders.app_directories.Loader"]
    processors = [f"django.{each}" for each in (*context, "contrib.messages.context_processors.messages")]
    return {
        "ALLOWED_HOSTS": ["testserver"],
        "SECRET_KEY": "of the project",
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "shop.db",
                "ATOMIC_REQUESTS": True,
                "OPTIONS": {"timeout": 60, "transaction_mode": "IMMEDIATE"},
            }
        },
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": [*(f"django.contrib.{each}" for each in apps), "tests.frameworks.django_shop"],
        "LOGIN_REDIRECT_URL": "/",
        "LOGIN_URL": "/login",
        "LOGOUT_REDIRECT_URL": "/",
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "ROOT_URLCONF": "tests.frameworks.django_shop.urls",
        "STATIC_ROOT": folder / "static",
        "STATIC_URL": "/static/",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {"context_processors": processors, "loaders": loaders},
            }
        ],
    }
