"""The client's tests. They share support.py, which is found however they are discovered."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
