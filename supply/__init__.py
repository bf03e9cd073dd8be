"""What the product is made of and who made it: hashes, licences and known vulnerabilities of everything that is locked.

For maintainers and CI: `python -P -m supply`.
"""
