"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: guest_certificate
short_description: Sign a guest's request for a certificate
description:
  - Signs on the control host, in the process that runs the task.
  - Refuses a request that asks for anything but O(subject) and O(names).
options:
  request:
    description: The request, PEM.
    type: str
    required: true
  subject:
    description: Common name that the request must have.
    type: str
    required: true
  names:
    description: Alternative names that it must have, such as V(IP:192.0.2.1) or V(DNS:db1).
    type: list
    elements: str
    required: true
  authority_path:
    description: File with the authority's certificate.
    type: path
    required: true
  authority_key_path:
    description: File with the authority's key.
    type: path
    required: true
  directory:
    description: Where the guest's engine looks for C(server.pem) and C(ca.pem).
    type: path
    required: true
  days:
    description: How long the certificate is good for.
    type: int
    required: true
author: Coffer
"""

RETURN = r"""
files:
  description: The certificate and the authority's, PEM, by path in the guest.
  type: dict
  returned: success
"""
