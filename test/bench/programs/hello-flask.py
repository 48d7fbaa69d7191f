# Hello in Flask, for gunicorn: run by tsserve as it is, and behind the others.

from flask import Flask

app = Flask(__name__)


@app.get('/flask/')
def hello():
    return '{"hello":"world"}', 200, {'Content-Type': 'application/json'}
