"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: guest_files
short_description: Write several small files at once
description:
  - Writes files whole, each under a temporary name that is then renamed, in one round to the guest.
  - One task over SSH takes longer than writing a hundred files, so they go together.
  - Directories that are missing are made, with mode 0755.
options:
  files:
    description: Content by path, readable by everybody.
    type: dict
    default: {}
  secrets:
    description: Content by path, readable by O(owner) alone.
    type: dict
    default: {}
  validate:
    description:
      - Command by path that must succeed on the new content before anything is written.
      - The letters V(%s) in a word of it stand for the path of a file with the new content.
    type: dict
    default: {}
  owner:
    description: User that the secrets belong to.
    type: str
    default: root
author: Coffer
"""

RETURN = r"""
paths:
  description: The files that were written, or would be in check mode.
  type: list
  elements: str
  returned: success
"""
