def render(request):
    return request.send_file("prices.csv")  # of src/partials/uploads
