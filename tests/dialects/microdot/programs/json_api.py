"""An API for customers, in memory."""

from microdot import Microdot, abort

app = Microdot()
customers = {}


def find(number):
    if number not in customers:
        abort(404, f"no customer {number}")
    return customers[number]


@app.get("/customers")
async def index(request):
    wanted = request.args.getlist("name")
    return [each for each in customers.values() if not wanted or each["name"] in wanted]


@app.post("/customers")
async def create_customer(request):
    customer = request.json
    if not customer or "name" not in customer:
        return {"error": "name is missing"}, 400
    customer["id"] = len(customers) + 1
    customers[customer["id"]] = customer
    return customer, 201, {"Location": f"/customers/{customer['id']}"}


@app.get("/customers/<int:number>")
async def show(request, number):
    return find(number)


@app.put("/customers/<int:number>")
def replace(request, number):
    find(number)
    customers[number] = {**request.json, "id": number}
    return customers[number]


@app.patch("/customers/<int:number>")
async def change(request, number):
    find(number).update(request.json)
    return find(number)


@app.delete("/customers/<int:number>")
async def delete(request, number):
    find(number)
    del customers[number]
    return "", 204


JSON = {"Content-Type": "application/json"}
REQUESTS = [
    ("GET", "/customers?all=1"),
    ("POST", "/customers", JSON, b'{"name": "Ada", "tags": ["a", null, 1.5]}'),
    ("POST", "/customers", {"Content-Type": "application/json; charset=utf-8"}, '{"name": "Zoë"}'.encode()),
    ("POST", "/customers", {"Content-Type": "text/plain"}, b'{"name": "Ada"}'),
    ("POST", "/customers", JSON, b"{}"), ("GET", "/customers?name=Ada"), ("GET", "/customers/1"),
    ("GET", "/customers/7"),
    ("PUT", "/customers/1", JSON, b'{"name": "Grace"}'),
    ("PATCH", "/customers/1", JSON, b'{"age": 85}'),
    ("GET", "/customers/1"), ("DELETE", "/customers/1"), ("DELETE", "/customers/1"), ("GET", "/customers?all=1"),
]  # fmt: skip
