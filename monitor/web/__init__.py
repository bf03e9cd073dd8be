"""The supervisors' page and its API: NiceGUI for what moves, plain templates for what is read."""
